import airflow
