-- CREATE EXTENSION pg_cron;
/* CREATE EXTENSION pg_cron; */
select 1;
