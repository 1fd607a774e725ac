import subprocess

from setuptools import setup

subprocess.run(["gcc", "--version"], check=True)
setup()
