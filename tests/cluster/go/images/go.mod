module sluice.test/cluster/images

go 1.24
