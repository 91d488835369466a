"""Stack traces of programs, found in lines and joined to the line that they belong to.

grammar   what a grammar is: patterns of lines, and states that they lead to
python, at (Java, Node, .NET), go, ruby, rust   the grammars
scanning  where one trace begins and ends
joiner    `Traces`: whole columns of lines to events
"""
