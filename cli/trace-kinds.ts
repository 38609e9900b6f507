/** What a file is, by its first bytes: names of files are wrong too often. */

/** So many bytes tell. */
export const HEAD_BYTES = 512;

/** What is read here, and what another program makes readable. */
export type Kind = 'text' | 'gzip' | 'zstd' | Foreign;

export interface Foreign {
  readonly name: string;
  /** A command line that writes text, where there is one; FILE stands for the file. */
  readonly reader?: string;
}

/** The largest window of zstd that is kept in memory here; what `zstd` itself takes unless told otherwise. */
const ZSTD_WINDOW_BYTES = 2 ** 27;

/** From the first byte on. */
const SIGNATURES: readonly (readonly [bytes: string, kind: Kind])[] = [
  ['\x1f\x8b', 'gzip'],
  ['\x28\xb5\x2f\xfd', 'zstd'],
  ['\x17\x08Dtracing', { name: 'a trace.dat of trace-cmd', reader: 'trace-cmd report FILE' }],
  ['PERFILE2', { name: 'a perf.data', reader: 'perf script -i FILE' }],
  ['2ELIFREP', { name: 'a perf.data of another byte order', reader: 'perf script -i FILE' }],
  ['\xfd7zXZ\0', { name: 'xz', reader: 'xz -dc FILE' }],
  ['BZh', { name: 'bzip2', reader: 'bzip2 -dc FILE' }],
  ['\x04\x22\x4d\x18', { name: 'lz4', reader: 'lz4 -dc FILE' }],
  ['PK\x03\x04', { name: 'a zip archive', reader: 'unzip -p FILE' }],
  ['\xff\xfe', { name: 'UTF-16', reader: 'iconv -f UTF-16 -t UTF-8 FILE' }],
  ['\xfe\xff', { name: 'UTF-16', reader: 'iconv -f UTF-16 -t UTF-8 FILE' }],
  ['\x7fELF', { name: 'a program or a memory dump (ELF)' }],
];

const PERFETTO: Foreign = { name: 'a Perfetto trace', reader: 'traceconv systrace FILE' };
const TAR: Foreign = { name: 'a tar archive', reader: 'tar -xOf FILE NAME' };
const WIDE: Foreign = { name: 'zstd with a window above 128 MiB', reader: 'zstd -dc --long=31 FILE' };

/** The kind of what begins with these bytes, at least {@link HEAD_BYTES} of them unless there are no more. */
export function kindOf(head: Buffer): Kind {
  const found = SIGNATURES.find(([bytes]) => head.toString('latin1', 0, bytes.length) === bytes);
  if (found?.[1] === 'zstd' && windowBytes(head) > ZSTD_WINDOW_BYTES) return WIDE;
  if (found !== undefined) return found[1];
  // A frame that decompressors skip: parallel ones put their own notes there.
  if (head.toString('latin1', 1, 4) === '\x2a\x4d\x18' && (head[0] ?? 0) >> 4 === 5) return 'zstd';
  if (head.toString('latin1', 257, 262) === 'ustar') return TAR;
  return isPerfetto(head) ? PERFETTO : 'text';
}

/** Of the first frame of zstd data: RFC 8878, 3.1.1.1. Whoever decompresses it has to hold so much. */
function windowBytes(head: Buffer): number {
  const flags = head[4] ?? 0;
  const isSingle = (flags & 0x20) !== 0;
  if (!isSingle) {
    const window = head[5] ?? 0;
    return 2 ** (10 + (window >> 3)) * (1 + (window & 7) / 8);
  }
  // The whole content is the window. Its size stands behind a number of up to four bytes that names a dictionary.
  const at = 5 + ((1 << (flags & 3)) >> 1);
  const isLong = flags >> 6 >= 2 && head.length >= at + 8;
  if (!isLong) return 0;
  return flags >> 6 === 2 ? head.readUInt32LE(at) : Number(head.readBigUInt64LE(at));
}

/**
 * A protobuf message whose first field is a packet of a known length, itself beginning with a field. A text may begin
 * so too, with an empty line; but it has no byte below those of white space.
 */
function isPerfetto(head: Buffer): boolean {
  if (head[0] !== 0x0a || !head.some((byte) => byte < 8)) return false;
  let at = 1;
  while (at < 5 && (head[at] ?? 0) >= 0x80) at += 1;
  const tag = head[at + 1] ?? 0;
  return tag >> 3 > 0 && [0, 1, 2, 5].includes(tag & 7);
}
