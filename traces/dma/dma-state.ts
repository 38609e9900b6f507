/** What all checks of drivers' calls share: who has what mapped, what was, and how sure a finding can be. */
import type { CheckName } from '../checks.ts';
import type { MapEvent } from '../event.ts';
import type { Evidence, Subject } from '../finding.ts';
import type { Findings } from '../findings.ts';
import type { Lives, Mapping } from '../mapping.ts';
import { DmaDeaths } from './dma-deaths.ts';
import { DmaDevice } from './dma-device.ts';
import type { DmaMapping } from './dma-mapping.ts';
import { type Grade, Verdicts } from './verdicts.ts';

export class DmaState {
  readonly verdicts: Verdicts;
  /** The mappings of IOMMUs, for what no driver's event tells of. */
  readonly tables: Lives;
  #deaths = new DmaDeaths();
  readonly #devices = new Map<string, DmaDevice>();
  #lastMap: MapEvent | undefined;

  constructor(findings: Findings, tables: Lives) {
    this.tables = tables;
    this.verdicts = new Verdicts(findings);
  }

  get deaths(): DmaDeaths {
    return this.#deaths;
  }

  get devices(): readonly DmaDevice[] {
    return [...this.#devices.values()];
  }

  device(name: string): DmaDevice {
    const known = this.#devices.get(name);
    if (known !== undefined) return known;
    const device = new DmaDevice(name);
    this.#devices.set(name, device);
    return device;
  }

  /** All devices are new ones. */
  restart(): void {
    this.#devices.clear();
    this.#deaths = new DmaDeaths();
  }

  /** The IOMMU was told a mapping; a driver's call that led to it is written later. */
  mapped(event: MapEvent): void {
    this.#lastMap = event;
  }

  add(mapping: DmaMapping): void {
    this.device(mapping.device).add(mapping, this.#lastMap);
  }

  /** `died` is set. */
  remove(mapping: DmaMapping): void {
    this.device(mapping.device).remove(mapping);
    this.#deaths.add(mapping);
  }

  /** Where the tables have lost what it mapped, only the driver's line is missing. */
  isShownUnmapped({ device, ranges, born }: DmaMapping): boolean {
    const dead = this.#inTables(device, ranges[0]?.start ?? 0);
    return dead?.died !== undefined && dead.died.time >= born.time;
  }

  /** Where the tables were given the address after a moment, only the driver's line is missing. */
  isShownMapped(device: string, start: number, since: number): boolean {
    const live = this.tables.liveAt(start).find(({ space }) => space === undefined || space === device);
    const shown = live ?? this.#inTables(device, start);
    return shown !== undefined && shown.born.time >= since;
  }

  #inTables(device: string, start: number): Mapping | undefined {
    const dead = this.tables.lastAt(start, device);
    return dead?.space === undefined || dead.space === device ? dead : undefined;
  }

  /**
   * How sure one can be that a call of a device was wrong.
   * @param missing - how many lines would have to be missing to excuse it: one is soon thought of, two are not
   * @param since - the moment since which they would be missing
   */
  grade(device: DmaDevice, missing: 1 | 2, since: number): Grade {
    if (!device.translated) return this.vague(device, since);
    if (missing === 1) return { confidence: 'likely', assumptions: ['nothing-lost'], since };
    return { confidence: 'certain', assumptions: [], since };
  }

  /** Something else at the same place may be meant, which was mapped before the trace began, if anything was. */
  vague(device: DmaDevice, since: number): Grade {
    return { confidence: 'likely', assumptions: ['seen-from-start', 'nothing-lost'], since, before: device };
  }

  find(check: CheckName, grade: Grade, text: string, subject: Subject, evidence: readonly Evidence[]): void {
    this.verdicts.add(grade, { check, text, subject, evidence });
  }
}
