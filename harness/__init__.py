"""The conductor: CLI, services, Locust, sampling, guarding. Sits on top of everything else."""
