/** The text about a change that waits for a second person. */
export function waits(proposal: string): string {
  return `It waits as proposal ${proposal} until another person approves it: on the page Rollouts, or with vedette approve ${proposal}.`;
}
