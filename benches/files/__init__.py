"""The parts of benches/files.py: the servers that are compared, who fetches and brings, what is measured, the table."""
