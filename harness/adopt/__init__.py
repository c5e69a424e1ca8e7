"""A shop's repository as it is found, and the files that loadgate needs beside it."""
