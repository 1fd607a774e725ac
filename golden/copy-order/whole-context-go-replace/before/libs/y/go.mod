module y

replace z => ../nowhere
