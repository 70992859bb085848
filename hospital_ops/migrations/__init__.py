"""The database's form: numbered SQL files, the runner, the three roles, the keeper of the days."""
