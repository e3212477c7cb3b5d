"""The authors' published files: read without trusting them, renamed, checked, and written as one of our folders.

This package is the only place that knows the authors' key names.
"""
