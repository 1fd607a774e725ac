FROM python:3.13-slim
COPY --from=packages --chown=app:app . ./packages
