/**
 * Errno codes, numbered as in Linux. Every fallible function of this folder returns a number: zero or more is
 * success, a negative one is an errno code with its sign changed.
 */
export const ENOENT = 2;
export const EBADF = 9;
export const ENOMEM = 12;
export const EFAULT = 14;
export const EBUSY = 16;
export const EEXIST = 17;
export const ENODEV = 19;
export const EINVAL = 22;
export const EMFILE = 24;
export const ENOSPC = 28;
export const ERANGE = 34;

/** The kernel's name of each code above; nothing at the other positions. */
export const ERRNO_NAMES: Readonly<Record<number, string>> = {
  [ENOENT]: 'ENOENT',
  [EBADF]: 'EBADF',
  [ENOMEM]: 'ENOMEM',
  [EFAULT]: 'EFAULT',
  [EBUSY]: 'EBUSY',
  [EEXIST]: 'EEXIST',
  [ENODEV]: 'ENODEV',
  [EINVAL]: 'EINVAL',
  [EMFILE]: 'EMFILE',
  [ENOSPC]: 'ENOSPC',
  [ERANGE]: 'ERANGE',
};
