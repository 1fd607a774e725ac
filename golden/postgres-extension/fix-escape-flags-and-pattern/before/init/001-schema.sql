SELECT cron.schedule('x', '* * * * *', 'select 1');
