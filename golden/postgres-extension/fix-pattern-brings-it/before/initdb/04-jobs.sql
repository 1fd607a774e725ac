SELECT cron.schedule('clean', '0 3 * * *', 'VACUUM');
