"""The same items sent in different ways, each measured: does batching pay?"""
