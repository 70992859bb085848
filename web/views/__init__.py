"""What the templates print: beds, alarms and cases in the words of one language.

Pure: the same cell, language and moment give the same view, so two views tell what to send.
"""
