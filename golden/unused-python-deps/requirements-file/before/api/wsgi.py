from flask import Flask
import sentry_sdk
