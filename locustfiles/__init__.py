"""The load: what users do. The only package that imports locust."""
