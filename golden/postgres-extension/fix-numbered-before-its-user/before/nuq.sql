-- The crawler's job queue.
CREATE SCHEMA IF NOT EXISTS nuq;

CREATE TABLE IF NOT EXISTS nuq.jobs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  status text NOT NULL DEFAULT 'queued',
  data jsonb,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- Finished jobs go after an hour.
SELECT cron.schedule('nuq-clean', '*/5 * * * *',
  $$DELETE FROM nuq.jobs WHERE status = 'done' AND created_at < now() - interval '1 hour'$$);
