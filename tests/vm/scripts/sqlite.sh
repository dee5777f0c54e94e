sqlite3 db 'create table t(a,b); insert into t values(1,2); pragma journal_mode=wal; insert into t values(3,4); select * from t; vacuum'
sqlite3 db .dump
