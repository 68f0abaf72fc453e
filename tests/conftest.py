"""What holds for all tests."""
import os

# The tests' processes share the cores: more threads in one would only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
