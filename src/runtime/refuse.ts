import { v7 } from "uuid";
import type { Problem } from "../errors.ts";
import { renderProblem } from "../http/problems.ts";

/** A problem answered by the listener itself, without the app. */
export const refuse = (request: Request, problem: Problem): Response => {
  const requestId = v7();
  const response = renderProblem(problem, { request, requestId, publicUrl: new URL(request.url).origin });
  response.headers.set("x-request-id", requestId);
  return response;
};
