"""The second act: what the site had more of once somebody had repaired it by hand."""
