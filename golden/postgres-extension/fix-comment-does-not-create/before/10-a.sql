-- CREATE EXTENSION pgaudit;
CREATE TABLE t (i int);
