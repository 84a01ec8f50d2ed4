# Built with `docker compose build` or `docker build -t darkroom .`; runs as an unprivileged user.
FROM node:22-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY src/db/patches src/db/patches
RUN npm ci --omit=dev

FROM node:22-bookworm-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8080 \
    DATA_DIR=/data
RUN install --directory --owner=node --group=node --mode=0700 /data
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json LICENSE ./
COPY machines machines
COPY sql sql
COPY src src
USER node
VOLUME /data
EXPOSE 8080
# The grace that a stop may take; see `docker stop --time`.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/livez`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Without npm in between, signals reach the launcher, which passes them on.
ENTRYPOINT ["node", "src/runtime/launch.mjs"]
CMD ["src/main.ts"]
