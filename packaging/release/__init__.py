"""The parts of `build.py`: one module for each thing that can fail by itself."""
