exec flask run
