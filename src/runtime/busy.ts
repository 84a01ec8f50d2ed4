/** Turns a failed bind into a sentence for the operator. */
export const bindError = (error: unknown, host: string, port: number): Error => {
  const { code, name, message } = error as { code?: string; name?: string; message?: string };
  const is = (...words: string[]) => words.includes(code ?? "") || words.includes(name ?? "");
  const at = `${host}:${port}`;
  if (is("EADDRINUSE", "AddrInUse"))
    return new Error(
      `port ${port} is busy: something else listens on ${at}. Stop it, or choose another port, e.g. PORT=${port + 1} npm start (PORT=0 takes a free one)`,
    );
  if (is("EACCES", "PermissionDenied")) return new Error(`not allowed to listen on ${at}: choose a PORT above 1023`);
  if (is("EADDRNOTAVAIL", "AddrNotAvailable", "ENOTFOUND"))
    return new Error(`HOST=${host} is not an address of this machine: use 127.0.0.1, or 0.0.0.0 for all`);
  return new Error(`cannot listen on ${at}: ${message ?? String(error)}`);
};
