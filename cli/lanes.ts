/** Runs jobs, so many at once; the results stand in the order of the jobs, whichever was done first. */
export async function inLanes<Job, Result>(
  jobs: readonly Job[],
  lanes: number,
  run: (job: Job) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let at = next++; at < jobs.length; at = next++) results[at] = await run(jobs[at] as Job);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}
