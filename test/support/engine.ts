import { chooseIdentity, launch, type Running } from "../../src/embedded/postgres-process.ts";

/** Starts somebody else's server as ourselves, tied to our life: it ends with the tests, even when they are killed. */
export const launchEngine = async (
  file: string,
  args: string[],
  onLine: (line: string) => void = () => {},
): Promise<Running> => {
  const { guard } = await chooseIdentity();
  const identity = {
    guard,
    command: (program: string, rest: string[], options: string[] = []): [string, string[]] =>
      options.length > 0 ? ["setpriv", [...options, "--", program, ...rest]] : [program, rest],
  };
  return launch(identity, file, args, "/", onLine);
};
