for e in $EXTENSIONS; do psql -c "CREATE EXTENSION IF NOT EXISTS $e"; done
