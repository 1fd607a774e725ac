module api
replace gen => ../gen
