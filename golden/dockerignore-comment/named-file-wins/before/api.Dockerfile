FROM debian:12
COPY data /data
