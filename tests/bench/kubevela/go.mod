module sluice/bench/kubevela

go 1.13

require github.com/oam-dev/kubevela v1.0.0

// What KubeVela's own go.mod replaces.
replace (
	github.com/Azure/go-autorest => github.com/Azure/go-autorest v12.2.0+incompatible
	github.com/docker/distribution => github.com/docker/distribution v0.0.0-20191216044856-a8371794149d
	github.com/docker/docker => github.com/moby/moby v17.12.0-ce-rc1.0.20200618181300-9dc6525e6118+incompatible
	github.com/wercker/stern => github.com/oam-dev/stern v1.13.0-alpha
	golang.org/x/sys => golang.org/x/sys v0.0.0-20210320140829-1e4c9ba3b0c4
	k8s.io/client-go => k8s.io/client-go v0.18.8
)

// What has moved, or doesn't work with today's Go, since then.
replace (
	github.com/modern-go/reflect2 => github.com/modern-go/reflect2 v1.0.2
	vbom.ml/util => github.com/fvbommel/util v0.0.0-20180919145318-efcd4e0f9787
)
