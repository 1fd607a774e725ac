import fastapi
from stripe import Charge
