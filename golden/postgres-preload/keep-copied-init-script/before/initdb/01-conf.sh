echo "shared_preload_libraries='pg_cron'" >> "$PGDATA/postgresql.conf"
pg_ctl restart
