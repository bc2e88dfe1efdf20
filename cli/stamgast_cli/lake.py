"""The lake of a deployment, asked in SQL on this machine."""
