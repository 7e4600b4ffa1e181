"""The labelling script: a table of texts gets labels through the Batch API, in three commands."""
