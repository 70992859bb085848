"""Embedded servers: a real Valkey and a real PostgreSQL as children of this program.

`embedded.py` puts the parts together; `supervisor.py` keeps them (and the roles) alive;
`lock.py` lets one program at a time use a data directory. Nothing here speaks Redis or SQL.
"""
