/** The colours of the page's style, for what is drawn. */
import type { Palette } from './draw.ts';

export interface Theme extends Palette {
  readonly grid: string;
  readonly count: string;
  readonly bytes: string;
}

export function themeOf(): Theme {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    ...{ mapped: of('mapped'), 'mapped-to-end': of('mapped-to-end'), allocated: of('allocated') },
    ...{ reached: of('mapped'), 'free-while-mapped': of('wrong'), edge: of('edge') },
    ...{ mark: of('mark'), ground: of('ground'), marked: of('marked'), lost: of('muted'), text: of('text') },
    ...{ grid: of('grid'), count: of('mapped'), bytes: of('bytes') },
  };
}
