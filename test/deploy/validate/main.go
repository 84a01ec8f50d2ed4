// Reads docker-compose.yml and the Dockerfile with the code that Docker itself reads them with: what `docker compose
// config` and `docker build --check` say, without an engine. The argument is the directory that holds the two.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/opencontainers/go-digest"
)

// Any image: what is built on it does not depend on which.
type anyImage struct{}

func (anyImage) ResolveImageConfig(_ context.Context, name string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	config := `{"os":"linux","architecture":"amd64","config":{"Env":["PATH=/usr/local/bin:/usr/bin:/bin"]}}`
	return name, digest.FromString(config), []byte(config), nil
}

func checkCompose(ctx context.Context, file string) error {
	options, err := cli.NewProjectOptions([]string{file}, cli.WithOsEnv, cli.WithConsistency(true))
	if err != nil {
		return err
	}
	project, err := options.LoadProject(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("docker-compose.yml is valid: %d services, %d networks, %d volumes, %d configurations\n",
		len(project.Services), len(project.Networks), len(project.Volumes), len(project.Configs))
	return nil
}

func checkDockerfile(ctx context.Context, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	source := llb.NewSourceMap(nil, file, "Dockerfile", text)
	source.Definition = &llb.Definition{}
	found, err := dockerfile2llb.DockerfileLint(ctx, text, dockerfile2llb.ConvertOpt{MetaResolver: anyImage{}, SourceMap: source})
	if err != nil {
		return err
	}
	if found.Error != nil {
		return errors.New(found.Error.Message)
	}
	for _, warning := range found.Warnings {
		err = errors.Join(err, fmt.Errorf("%s: %s", warning.RuleName, warning.Detail))
	}
	if err == nil {
		fmt.Println("Dockerfile is valid, and gives no warning")
	}
	return err
}

func main() {
	directory, ctx := os.Args[1], context.Background()
	err := errors.Join(
		checkCompose(ctx, filepath.Join(directory, "docker-compose.yml")),
		checkDockerfile(ctx, filepath.Join(directory, "Dockerfile")),
	)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
