from sendgrid import Mail
