INSTALLED_APPS = [
    "rest_framework.authtoken",
    "corsheaders",
]
LOGGING = {"formatters": {"json": {"()": "pythonjsonlogger.jsonlogger.JsonFormatter"}}}
