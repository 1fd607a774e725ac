from importlib import import_module

sentry = import_module('sentry_sdk')
bus = __import__('paho.mqtt.client')


def later():
    from jwt.algorithms import RSAAlgorithm

    return RSAAlgorithm
