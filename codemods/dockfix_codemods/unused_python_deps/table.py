"""Tables of Python distributions: the modules that each provides, and which of them are used without an import.

Names of distributions are normalised (PEP 503: lower case, `-`). A row of a text table is `distribution: imports`, and
the comment above a group is the source of its rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final


def _rows(text: str) -> Mapping[str, tuple[str, ...]]:
    lines = (line.strip() for line in text.split("\n"))
    pairs = (line.partition(":")[::2] for line in lines if line and not line.startswith("#"))
    return MappingProxyType({name.strip(): tuple(imports.split()) for name, imports in pairs})


def _words(text: str) -> frozenset[str]:
    return frozenset(line for row in text.split("\n") for line in row.partition("#")[0].split())


IMPORTS: Final = _rows(
    """
    # Each project's own documentation, at the host or repository named above its rows
    # fastapi.tiangolo.com, flask.palletsprojects.com and the documentation of Flask's extensions
    fastapi: fastapi
    flask: flask
    flask-admin: flask_admin
    flask-babel: flask_babel
    flask-bcrypt: flask_bcrypt
    flask-caching: flask_caching
    flask-cors: flask_cors
    flask-jwt-extended: flask_jwt_extended
    flask-limiter: flask_limiter
    flask-login: flask_login
    flask-mail: flask_mail
    flask-migrate: flask_migrate
    flask-pymongo: flask_pymongo
    flask-restful: flask_restful
    flask-restx: flask_restx
    flask-session: flask_session
    flask-socketio: flask_socketio
    flask-sqlalchemy: flask_sqlalchemy
    flask-wtf: flask_wtf
    # bottlepy.org, falcon.readthedocs.io, sanic.dev, quart.palletsprojects.com, litestar.dev, docs.pylonsproject.org
    bottle: bottle
    falcon: falcon
    sanic: sanic
    quart: quart
    litestar: litestar
    pyramid: pyramid
    # dash.plotly.com, plotly.com/python, docs.streamlit.io, gradio.app/docs, docs.bokeh.org, altair-viz.github.io
    dash: dash
    plotly: plotly
    streamlit: streamlit
    gradio: gradio
    bokeh: bokeh
    altair: altair
    # boto3.amazonaws.com/v1/documentation, min.io/docs (python), firebase.google.com/docs/admin/setup
    boto3: boto3
    minio: minio
    firebase-admin: firebase_admin
    # cloud.google.com/python/docs/reference, github.com/googleapis/google-api-python-client
    google-cloud-aiplatform: google.cloud.aiplatform vertexai
    google-cloud-bigquery: google.cloud.bigquery
    google-cloud-firestore: google.cloud.firestore google.cloud.firestore_v1
    google-cloud-logging: google.cloud.logging google.cloud.logging_v2
    google-cloud-pubsub: google.cloud.pubsub google.cloud.pubsub_v1 google.pubsub google.pubsub_v1
    google-cloud-secret-manager: google.cloud.secretmanager google.cloud.secretmanager_v1
    google-cloud-speech: google.cloud.speech google.cloud.speech_v1
    google-cloud-storage: google.cloud.storage
    google-cloud-tasks: google.cloud.tasks google.cloud.tasks_v2
    google-cloud-translate: google.cloud.translate google.cloud.translate_v2 google.cloud.translate_v3
    google-cloud-vision: google.cloud.vision google.cloud.vision_v1
    google-api-python-client: googleapiclient apiclient
    google-generativeai: google.generativeai google.ai
    # learn.microsoft.com/python/api/overview/azure
    azure-cosmos: azure.cosmos
    azure-keyvault-secrets: azure.keyvault.secrets
    azure-servicebus: azure.servicebus
    azure-storage-blob: azure.storage.blob
    # docs.stripe.com, twilio.com/docs/libraries, github.com/sendgrid/sendgrid-python, tools.slack.dev
    stripe: stripe
    twilio: twilio
    sendgrid: sendgrid
    slack-bolt: slack_bolt
    slack-sdk: slack_sdk slack
    # github.com/openai/openai-python, docs.anthropic.com, docs.cohere.com, console.groq.com/docs, docs.mistral.ai
    openai: openai
    anthropic: anthropic
    cohere: cohere
    groq: groq
    mistralai: mistralai
    ollama: ollama
    replicate: replicate
    # python.langchain.com/docs/integrations
    langchain: langchain
    langchain-anthropic: langchain_anthropic
    langchain-chroma: langchain_chroma
    langchain-cohere: langchain_cohere
    langchain-experimental: langchain_experimental
    langchain-google-genai: langchain_google_genai
    langchain-groq: langchain_groq
    langchain-huggingface: langchain_huggingface
    langchain-ollama: langchain_ollama
    langchain-openai: langchain_openai
    langchain-pinecone: langchain_pinecone
    langchain-qdrant: langchain_qdrant
    langgraph: langgraph
    # docs.llamaindex.ai/en/stable/getting_started/installation (namespace packages: NAMESPACES)
    llama-index: llama_index
    llama-index-core: llama_index
    llama-parse: llama_parse
    # sbert.net, huggingface.co/docs, github.com/openai/whisper, scikit-learn.org/stable/install, pandas.pydata.org
    sentence-transformers: sentence_transformers
    transformers: transformers
    datasets: datasets
    diffusers: diffusers
    peft: peft
    openai-whisper: whisper
    faster-whisper: faster_whisper
    scikit-learn: sklearn
    scikit-image: skimage
    numpy: numpy
    pandas: pandas
    scipy: scipy
    matplotlib: matplotlib pylab
    seaborn: seaborn
    statsmodels: statsmodels
    torch: torch
    torchaudio: torchaudio
    torchvision: torchvision
    tensorflow: tensorflow
    keras: keras
    xgboost: xgboost
    lightgbm: lightgbm
    catboost: catboost
    opencv-python: cv2
    opencv-python-headless: cv2
    opencv-contrib-python: cv2
    opencv-contrib-python-headless: cv2
    ultralytics: ultralytics
    # spacy.io/usage, nltk.org, radimrehurek.com/gensim, textblob.readthedocs.io, librosa.org, github.com/jiaaro/pydub
    spacy: spacy
    nltk: nltk
    gensim: gensim
    textblob: textblob
    librosa: librosa
    pydub: pydub
    moviepy: moviepy
    ffmpeg-python: ffmpeg
    # geopandas.org, python-visualization.github.io/folium, docs.pola.rs, docs.dask.org, spark.apache.org/docs
    geopandas: geopandas
    folium: folium
    polars: polars
    dask: dask
    pyspark: pyspark
    # www.crummy.com/software/BeautifulSoup/bs4/doc, selenium.dev, playwright.dev/python, docs.scrapy.org
    beautifulsoup4: bs4
    selenium: selenium
    playwright: playwright
    scrapy: scrapy
    feedparser: feedparser
    # pypdf.readthedocs.io, pymupdf.readthedocs.io, python-docx.readthedocs.io, python-pptx.readthedocs.io
    pypdf: pypdf
    pypdf2: PyPDF2
    pdfplumber: pdfplumber
    pymupdf: pymupdf fitz
    python-docx: docx
    python-pptx: pptx
    docx2txt: docx2txt
    reportlab: reportlab
    weasyprint: weasyprint
    qrcode: qrcode
    # docs.sqlalchemy.org, sqlmodel.tiangolo.com, docs.peewee-orm.com, tortoise.github.io, docs.mongoengine.org
    sqlalchemy: sqlalchemy
    sqlmodel: sqlmodel
    peewee: peewee playhouse
    tortoise-orm: tortoise
    mongoengine: mongoengine
    beanie: beanie
    pymongo: pymongo bson gridfs
    motor: motor
    neo4j: neo4j
    neomodel: neomodel
    elasticsearch: elasticsearch
    elasticsearch-dsl: elasticsearch_dsl
    opensearch-py: opensearchpy
    influxdb: influxdb
    influxdb-client: influxdb_client
    cassandra-driver: cassandra
    qdrant-client: qdrant_client
    chromadb: chromadb
    pinecone-client: pinecone
    pymilvus: pymilvus
    weaviate-client: weaviate
    # github.com/eclipse-paho/paho.mqtt.python, kafka-python.readthedocs.io, docs.confluent.io, pika.readthedocs.io
    paho-mqtt: paho
    kafka-python: kafka
    confluent-kafka: confluent_kafka
    aiokafka: aiokafka
    pika: pika
    # docs.celeryq.dev, apscheduler.readthedocs.io, schedule.readthedocs.io
    celery: celery
    apscheduler: apscheduler
    schedule: schedule
    # python-jose.readthedocs.io, pyjwt.readthedocs.io, passlib.readthedocs.io, pycryptodome.org, paramiko.org
    python-jose: jose
    pyjwt: jwt
    passlib: passlib
    pycryptodome: Crypto
    pycryptodomex: Cryptodome
    paramiko: paramiko
    fabric: fabric
    authlib: authlib
    ldap3: ldap3
    # docs.pydantic.dev/latest/concepts/pydantic_settings, marshmallow.readthedocs.io
    pydantic-settings: pydantic_settings
    marshmallow: marshmallow
    # prometheus.github.io/client_python, docs.sentry.io/platforms/python, loguru.readthedocs.io, structlog.org
    prometheus-client: prometheus_client
    sentry-sdk: sentry_sdk
    loguru: loguru
    structlog: structlog
    python-json-logger: pythonjsonlogger
    # docs.python-telegram-bot.org, docs.aiogram.dev, discordpy.readthedocs.io, docs.tweepy.org, praw.readthedocs.io
    python-telegram-bot: telegram
    aiogram: aiogram
    discord-py: discord
    telethon: telethon
    pyrogram: pyrogram
    tweepy: tweepy
    praw: praw
    # docker-py.readthedocs.io, github.com/kubernetes-client/python, docs.python-requests.org
    docker: docker
    kubernetes: kubernetes
    requests: requests
    arrow: arrow
    pendulum: pendulum
    fire: fire
    gitpython: git
    pygithub: github
    pyserial: serial
    pyzmq: zmq
    python-slugify: slugify
    unidecode: unidecode
    # www.django-rest-framework.org, github.com/adamchainz/django-cors-headers, django-filter.readthedocs.io
    djangorestframework: rest_framework
    django-cors-headers: corsheaders
    django-filter: django_filters
    """
)
"""The modules of the distributions that a program imports itself. A dotted name is a package in a
namespace that several distributions share. What is not listed is not checked: its modules would be a guess.
"""

NAMESPACES: Final = _rows(
    """
    # github.com/run-llama/llama_index, llama-index-integrations: `llama-index-KIND-NAME` is `llama_index.KIND.NAME`
    llama-index-callbacks-: llama_index.callbacks
    llama-index-embeddings-: llama_index.embeddings
    llama-index-extractors-: llama_index.extractors
    llama-index-graph-stores-: llama_index.graph_stores
    llama-index-indices-managed-: llama_index.indices.managed
    llama-index-llms-: llama_index.llms
    llama-index-multi-modal-llms-: llama_index.multi_modal_llms
    llama-index-node-parser-: llama_index.node_parser
    llama-index-output-parsers-: llama_index.output_parsers
    llama-index-packs-: llama_index.packs
    llama-index-postprocessor-: llama_index.postprocessor
    llama-index-readers-: llama_index.readers
    llama-index-retrievers-: llama_index.retrievers
    llama-index-storage-chat-store-: llama_index.storage.chat_store
    llama-index-storage-docstore-: llama_index.storage.docstore
    llama-index-storage-index-store-: llama_index.storage.index_store
    llama-index-storage-kvstore-: llama_index.storage.kvstore
    llama-index-tools-: llama_index.tools
    llama-index-vector-stores-: llama_index.vector_stores
    """
)
"""Prefixes of distributions whose rest, with `_` for `-`, is a package in a namespace."""

LOADED_FOR: Final = _rows(
    """
    # llama-index-core: readers/file/base.py (SimpleDirectoryReader imports the file readers), readers/download.py,
    # callbacks/global_handlers.py, llama_pack/download.py
    llama-index-readers-file: SimpleDirectoryReader
    llama-index-readers-: download_loader
    llama-index-callbacks-: set_global_handler create_global_handler
    llama-index-packs-: download_llama_pack
    # langchain: chat_models/base.py and embeddings/base.py import the provider's package by the name of the model
    langchain-: init_chat_model init_embeddings create_agent
    """
)
"""Names in a program that make a library load a distribution, or those with such a prefix, without an import."""

LOADED_BY: Final = _rows(
    """
    # Dependencies and optional backends: the pyproject.toml of each, or its documentation of optional dependencies.
    # A name that ends in `-` means all that begin with it.
    openai: langchain- llama-index- litellm crewai autogen- instructor haystack-ai semantic-kernel dspy dspy-ai guidance
    anthropic: langchain- llama-index- litellm crewai instructor haystack-ai dspy
    cohere: langchain- llama-index- litellm instructor haystack-ai
    groq: langchain- llama-index- litellm instructor
    mistralai: langchain- llama-index- instructor
    ollama: langchain- llama-index- litellm instructor haystack-ai
    google-generativeai: langchain- llama-index- litellm instructor
    neo4j: langchain- llama-index-graph-stores- llama-index-vector-stores- neomodel graphiti-core
    neomodel: django-neomodel
    qdrant-client: langchain- llama-index-vector-stores- haystack-ai qdrant-haystack mem0ai
    chromadb: langchain- llama-index-vector-stores- crewai mem0ai
    pymilvus: langchain- llama-index-vector-stores-
    weaviate-client: langchain- llama-index-vector-stores-
    pinecone-client: langchain- llama-index-vector-stores-
    elasticsearch: langchain- llama-index-vector-stores- elasticsearch-dsl django-elasticsearch-dsl haystack-ai celery
    elasticsearch-dsl: django-elasticsearch-dsl
    opensearch-py: langchain- llama-index-vector-stores- opensearch-haystack django-opensearch-dsl
    pymongo: motor mongoengine beanie odmantic flask-pymongo djongo celery langchain- llama-index- apscheduler
    motor: beanie odmantic
    langchain: langchain- langgraph langserve crewai ragas
    langchain-openai: crewai ragas
    langgraph: langchain
    llama-parse: llama-index
    llama-index: llama-index-
    llama-index-core: llama-index-
    sentence-transformers: langchain- llama-index- chromadb mem0ai bertopic keybert haystack-ai txtai flagembedding
    transformers: langchain- llama-index- sentence-transformers peft diffusers spacy-transformers bertopic haystack-ai
    datasets: sentence-transformers trl evaluate ragas setfit
    peft: trl diffusers transformers
    spacy: spacy- langchain- llama-index- textacy presidio-analyzer
    nltk: textblob langchain- llama-index- unstructured rouge-score
    boto3: django-storages kombu celery smart-open sagemaker langchain- llama-index- litellm aioboto3 moto chalice zappa
    google-cloud-storage: django-storages google-cloud-aiplatform firebase-admin smart-open langchain- llama-index-
    google-cloud-bigquery: pandas-gbq google-cloud-aiplatform langchain- sqlalchemy-bigquery
    google-cloud-firestore: firebase-admin
    google-cloud-speech: speechrecognition
    google-api-python-client: firebase-admin google-generativeai langchain- llama-index-readers- gspread
    azure-storage-blob: django-storages smart-open adlfs langchain- llama-index-
    minio: llama-index-readers- pymilvus
    beautifulsoup4: pandas langchain- llama-index- scrapy newspaper3k unstructured yfinance google
    selenium: llama-index-readers- langchain- unstructured webdriver-manager splinter undetected-chromedriver
    playwright: llama-index-readers- langchain- scrapy-playwright crawl4ai
    feedparser: newspaper3k llama-index-readers- langchain-
    pypdf: langchain- llama-index- unstructured xhtml2pdf haystack-ai
    pypdf2: xhtml2pdf langchain- llama-index-
    pdfplumber: langchain- unstructured
    pymupdf: langchain- llama-index-
    python-docx: langchain- llama-index- unstructured docxtpl haystack-ai
    python-pptx: langchain- llama-index- unstructured
    docx2txt: langchain- llama-index-
    reportlab: xhtml2pdf
    weasyprint: django-weasyprint
    fastapi: gradio langserve chromadb sqladmin fastapi- starlette-
    flask: flask- dash
    flask-sqlalchemy: flask-migrate flask-admin
    flask-login: flask-security flask-appbuilder
    flask-wtf: flask-appbuilder flask-security
    flask-babel: flask-appbuilder
    plotly: dash streamlit gradio pandas
    altair: streamlit gradio
    bokeh: pandas dask panel
    sqlalchemy: alembic sqlmodel flask- pandas langchain- llama-index- apscheduler celery databases sqladmin pyramid
    marshmallow: flask- apispec webargs marshmallow- dataclasses-json
    pydantic-settings: langchain- fastapi- chromadb mcp
    pyjwt: flask- djangorestframework- twilio msal pygithub social-auth- fastapi- slack-bolt django- firebase-admin
    python-jose: fastapi- django- social-auth-
    passlib: fastapi- flask-
    authlib: weaviate-client
    pycryptodome: python-jose pdfminer-six pypdf pypdf2 django- tuya-
    pycryptodomex: pypdf
    paramiko: fabric django-storages docker
    ldap3: django- flask-
    prometheus-client: prometheus- starlette- django-prometheus flower gunicorn fastapi- flask-
    python-json-logger: django- fastapi- structlog
    structlog: django-structlog
    celery: django- flower flask-
    apscheduler: flask- django-
    kafka-python: faust
    pika: dramatiq
    docker: testcontainers airflow-
    requests: requests- google- langchain- llama-index- docker kubernetes slack-
    slack-sdk: slack-bolt
    python-slugify: django- flask-
    unidecode: django- python-slugify
    matplotlib: seaborn pandas scikit-
    scikit-learn: sentence-transformers imbalanced-learn
    """
)
"""The distributions that require each one, or load it if it is installed."""

INTEGRATORS: Final = _words(
    """
    langchain langchain-community langchain-classic langchain-experimental llama-index haystack-ai farm-haystack
    unstructured litellm crewai autogen pyautogen ag2 semantic-kernel embedchain mem0ai txtai flowise langflow
    """
)
"""Libraries with classes for services and formats, which import the library of a service or format when they are used
(langchain-community: `guard_import`; docs.litellm.ai/docs/providers; docs.unstructured.io).
"""

NOT_INTEGRATED: Final = ("langchain-", "llama-index-", "flask", "fastapi", "django", "celery", "discord", "aiogram")
"""Prefixes of distributions that integrators do not load."""

HEAVY: Final = _words(
    """
    numpy pandas scipy scikit-learn scikit-image matplotlib seaborn statsmodels torch torchaudio torchvision tensorflow
    keras opencv-python opencv-python-headless opencv-contrib-python opencv-contrib-python-headless
    """
)
"""Distributions that very many others load. One is checked only if all others installed with it are `LEAN`, or are in
this set and not imported.
"""

LEAN: Final = _words(
    """
    # Web servers and frameworks, database drivers and clients that need no array and no plot (their pyproject.toml)
    fastapi flask flask-cors flask-login flask-migrate flask-restful flask-sqlalchemy flask-wtf flask-jwt-extended
    starlette uvicorn gunicorn hypercorn waitress gevent eventlet django djangorestframework django-cors-headers
    django-filter whitenoise psycopg2 psycopg2-binary psycopg asyncpg pymysql mysqlclient aiomysql redis hiredis pymongo
    motor sqlalchemy sqlmodel alembic peewee requests httpx aiohttp urllib3 certifi boto3 stripe twilio python-dotenv
    environs python-decouple pydantic pydantic-settings email-validator python-multipart jinja2 click typer pyjwt
    python-jose passlib bcrypt cryptography celery flower pika paho-mqtt prometheus-client sentry-sdk loguru structlog
    beautifulsoup4 lxml pytz python-dateutil tenacity orjson ujson pyyaml pip setuptools wheel uv
    """
)
"""Distributions that load none of `HEAVY`."""

PICKLED: Final = HEAVY | _words("xgboost lightgbm catboost sentence-transformers transformers spacy nltk gensim")
"""Distributions with objects in pickles: loading one imports its module (docs.python.org, `pickle`)."""

NOT_IMPORTED: Final = _words(
    """
    # Installers and build backends (packaging.python.org)
    pip setuptools wheel build uv poetry poetry-core pdm pipenv hatchling flit-core cython virtualenv pip-tools
    # Servers and workers, started as commands
    uvicorn gunicorn hypercorn daphne waitress uwsgi granian gevent eventlet meinheld uvloop httptools watchfiles
    flower supervisor honcho circus rq dramatiq huey arq watchdog
    # Drivers that an address names (docs.sqlalchemy.org/en/20/dialects, docs.djangoproject.com/en/stable/ref/databases,
    # docs.celeryq.dev: backends and brokers)
    psycopg2 psycopg2-binary psycopg psycopg-binary psycopg-pool asyncpg aiopg pg8000 pymysql mysqlclient aiomysql
    asyncmy mysql-connector-python aiosqlite pyodbc pymssql cx-oracle oracledb clickhouse-driver clickhouse-connect
    snowflake-connector-python snowflake-sqlalchemy sqlalchemy-bigquery redis hiredis pymemcache pylibmc
    python-memcached dj-database-url greenlet
    # Loaded by others if they are installed: fastapi.tiangolo.com (optional dependencies), pandas.pydata.org (install:
    # optional dependencies), uvicorn.dev, requests, pydantic, passlib, transformers
    python-multipart email-validator jinja2 itsdangerous orjson ujson simplejson httpx httpx-sse pyyaml ruamel-yaml
    python-dotenv websockets wsproto h2 h11 brotli zstandard chardet charset-normalizer cchardet pysocks brotlipy
    openpyxl xlrd xlsxwriter pyxlsb odfpy pyarrow fastparquet tables tabulate lxml html5lib numexpr bottleneck numba
    s3fs gcsfs adlfs fsspec sympy networkx pillow imageio pytesseract tqdm rich colorama pygments markdown bleach
    accelerate safetensors sentencepiece tokenizers tiktoken protobuf einops bitsandbytes xformers flash-attn triton
    onnxruntime onnx huggingface-hub optimum timm ninja triton hf-transfer faiss-cpu faiss-gpu
    bcrypt argon2-cffi cryptography pyopenssl pynacl cffi pytz tzdata tzlocal python-dateutil backports-zoneinfo
    # Libraries that others build on
    pydantic pydantic-core typing-extensions attrs cattrs click typer six packaging requests-oauthlib oauthlib aiohttp
    aiofiles anyio starlette werkzeug markupsafe urllib3 certifi idna tenacity cachetools boto botocore s3transfer
    google-auth google-auth-oauthlib google-cloud-core google-api-core googleapis-common-protos grpcio grpcio-tools
    grpcio-status azure-identity azure-core langchain-core langchain-community langchain-text-splitters langsmith
    psutil regex dnspython importlib-metadata importlib-resources mako alembic kombu billiard vine amqp
    # Agents and plug-ins that a command or an environment variable starts
    newrelic ddtrace elastic-apm scout-apm debugpy ipython ipdb pudb whitenoise
    # llama-index-core loads these by default: llms/utils.py, embeddings/utils.py, question_gen and program utils
    llama-index-llms-openai llama-index-llms-llama-cpp llama-index-llms-langchain llama-index-embeddings-openai
    llama-index-embeddings-huggingface llama-index-embeddings-langchain llama-index-embeddings-clip llama-index-cli
    llama-index-llms-openai-like llama-index-multi-modal-llms-openai
    """
)
"""Distributions that work without an import in the program that they are installed for."""

NOT_IMPORTED_PREFIXES: Final = ("types-", "pytest-", "opentelemetry-", "nvidia-", "tree-sitter-", "celery-", "sphinx")
NOT_IMPORTED_SUFFIXES: Final = ("-stubs", "-binary", "-plugin")
"""Type stubs (PEP 561), plug-ins of pytest (docs.pytest.org), instrumentation that `opentelemetry-instrument` loads."""

HOSTS: Final = _words(
    """
    apache-airflow apache-superset ansible ansible-core awscli azure-cli buildbot dagster datasette dbt-core dvc
    great-expectations home-assistant homeassistant jupyter jupyterhub jupyterlab ipykernel kedro label-studio locust
    luigi mkdocs mlflow notebook odoo papermill prefect rasa robotframework salt saltstack sphinx voila zappa
    nbconvert jupyter-server jupyter-core bentoml ray mitmproxy streamlink certbot octoprint
    """
)
"""Applications that run code and load packages that no file of the image names (documented as plug-ins, operators,
kernels or modules).
"""

ONLY_IN_CLOSURES: Final = _words(
    """
    certifi idna charset-normalizer markupsafe itsdangerous sniffio h11 pycparser pytz-deprecation-shim vine billiard
    amqp kiwisolver cycler fonttools threadpoolctl joblib-stubs mdurl annotated-types blinker rpds-py referencing
    s3transfer jmespath pyasn1 pyasn1-modules soupsieve
    """
)
"""Distributions that people rarely install by name: a list that pins these with `==` was written by `pip freeze`."""
