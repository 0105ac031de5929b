"""The targets, in groups: each measures one or more of them and adds the rows to the report."""
