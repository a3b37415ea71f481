"""Who: accounts and grants, households, stations, work units, consent."""
