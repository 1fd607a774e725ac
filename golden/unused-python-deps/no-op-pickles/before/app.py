import flask
import joblib

model = joblib.load('model.bin')
