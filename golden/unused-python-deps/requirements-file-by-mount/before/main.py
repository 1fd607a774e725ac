import loguru
