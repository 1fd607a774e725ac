import flask
import pandas
