"""What ends after a workspace's days: events, properties, archives, and the history of logs."""
