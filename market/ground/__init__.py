"""What everything stands on: settings, errors, time, the database, money, measures, places, the audit trail."""
