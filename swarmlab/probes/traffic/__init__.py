"""Stage traffic: who reaches whom and who resolves what (kinds reach, scope, vip, name)."""
