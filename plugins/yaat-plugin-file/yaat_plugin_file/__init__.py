"""The source type `file`: lines of text files, followed through rotation."""
