module x
replace y => ../y
